// Package greek names the letters of the Greek alphabet, as names of genes and
// proteins spell them out.
package greek

import "unicode"

// Names are those of the letters α to ω in lower case, the final sigma included.
var Names = [...]string{
	"alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu",
	"xi", "omicron", "pi", "rho", "sigma", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega",
}

// Name is the name of a Greek letter, the micro sign and other forms of letters
// included; it is empty for any other rune.
func Name(r rune) string {
	switch r {
	case 'µ': // the micro sign
		r = 'μ'
	case 'ϵ':
		r = 'ε'
	case 'ϑ':
		r = 'θ'
	case 'ϕ':
		r = 'φ'
	case 'ϰ':
		r = 'κ'
	}
	if r = unicode.ToLower(r); 'α' <= r && r <= 'ω' {
		return Names[r-'α']
	}
	return ""
}
