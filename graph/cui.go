package graph

const (
	cuiDigits  = 7
	cuiNumbers = 10_000_000
)

// Number is the number of an identifier of the usual shape, a capital letter and
// seven digits: the letters' place in the alphabet times ten million, plus what the
// digits say. Such identifiers are in the order of their numbers, which are below
// 26 times ten million. Usual is false for identifiers of another shape.
func (c CUI) Number() (n uint32, usual bool) {
	if len(c) != 1+cuiDigits || c[0] < 'A' || c[0] > 'Z' {
		return 0, false
	}
	for _, digit := range []byte(c[1:]) {
		if digit < '0' || digit > '9' {
			return 0, false
		}
		n = 10*n + uint32(digit-'0')
	}
	return uint32(c[0]-'A')*cuiNumbers + n, true
}

// NumberedCUI is the identifier with a number that Number gave.
func NumberedCUI(n uint32) CUI {
	var id [1 + cuiDigits]byte
	id[0] = 'A' + byte(n/cuiNumbers)
	for i := cuiDigits; i > 0; i-- {
		id[i] = '0' + byte(n%10)
		n /= 10
	}
	return CUI(id[:])
}
