// Package calibration makes scores mean what they say: of the findings with a
// score of 0.8, four in five should be right. A map with a temperature and a bias
// is fitted on held-out texts (Platt 1999; with the bias left out it is the
// temperature scaling of Guo et al. 2017). It keeps the order of the scores.
package calibration

import (
	"fmt"
	"math"
)

// Map turns the log-odds that a model gives a finding into the probability that
// it is right: σ(odds/Temperature + Bias). The zero value leaves the model's own
// probability.
type Map struct {
	Temperature float64 `json:"temperature"`
	Bias        float64 `json:"bias"`
}

// Validate reports a map that does not keep the order of scores.
func (m Map) Validate() error {
	if m == (Map{}) || m.Temperature > 0 && !math.IsInf(m.Temperature, 0) && !math.IsNaN(m.Bias) && !math.IsInf(m.Bias, 0) {
		return nil
	}
	return fmt.Errorf("temperature is %g and bias %g: the temperature must be positive, both finite", m.Temperature, m.Bias)
}

// CheckThreshold reports a threshold of scores, by the name of its field, that lies
// outside [0, 1]: nothing, or everything, would reach it.
func CheckThreshold(field string, threshold float64) error {
	if !(threshold >= 0 && threshold <= 1) {
		return fmt.Errorf("%s is %g, it must lie in [0, 1]", field, threshold)
	}
	return nil
}

// Probability is the calibrated probability at some log-odds.
func (m Map) Probability(odds float64) float64 {
	if m.Temperature > 0 {
		odds = odds/m.Temperature + m.Bias
	}
	return 1 / (1 + math.Exp(-odds))
}

// Odds are the log-odds that have a calibrated probability: the inverse of
// Probability.
func (m Map) Odds(probability float64) float64 {
	odds := Odds(probability)
	if m.Temperature > 0 {
		odds = (odds - m.Bias) * m.Temperature
	}
	return odds
}

// Odds are the log-odds of a probability.
func Odds(probability float64) float64 { return math.Log(probability) - math.Log1p(-probability) }

// Finding is something that a model found in held-out texts.
type Finding struct {
	Odds  float64 // log-odds by the model
	Right bool
}

// leastSlope is how much odds must say for a map to be fitted. Below it, the scores at the
// least and at the most odds would differ by less than 0.02; where rounding alone makes a
// slope, by nothing, so that whatever is found would reach a threshold moved with the map.
const leastSlope = 1e-3

// fewest is how many right and how many wrong findings a map is fitted to at
// least.
const fewest = 10

// Fit fits a map by maximum likelihood, with targets drawn in a little from 0 and
// 1 as Platt has them, so that findings which the odds divide without fault give
// a finite map. Too few findings, or odds that say nothing about what is right,
// give the zero map.
func Fit(findings []Finding) Map {
	right := 0.0
	for _, f := range findings {
		if f.Right {
			right++
		}
	}
	wrong := float64(len(findings)) - right
	if right < fewest || wrong < fewest {
		return Map{}
	}
	slope, bias := fitLine(findings, (right+1)/(right+2), 1/(wrong+2))
	if !(slope >= leastSlope) || math.IsInf(slope, 0) || math.IsNaN(bias) {
		return Map{}
	}
	return Map{Temperature: 1 / slope, Bias: bias}
}

// mostOdds bounds the odds that a fit looks at: a softmax in 32 bits may give infinite ones.
const mostOdds = 30

// line is σ(slope·odds + bias), in the course of being fitted.
type line struct{ slope, bias float64 }

// fitLine finds the slope and the bias of a logistic regression by Newton's
// method, with steps that are halved until they lead down.
func fitLine(findings []Finding, high, low float64) (slope, bias float64) {
	at := line{}
	loss, step := at.newton(findings, high, low)
	for range 100 {
		share := 1.0
		next := line{at.slope - step.slope, at.bias - step.bias}
		nextLoss, nextStep := next.newton(findings, high, low)
		for nextLoss > loss && share > 1e-6 {
			share /= 2
			next = line{at.slope - share*step.slope, at.bias - share*step.bias}
			nextLoss, nextStep = next.newton(findings, high, low)
		}
		done := loss-nextLoss < 1e-10*(1+loss)
		at, loss, step = next, nextLoss, nextStep
		if done {
			break
		}
	}
	return at.slope, at.bias
}

// newton is the loss of the line, −log likelihood, and the step of Newton's
// method from it.
func (l line) newton(findings []Finding, high, low float64) (loss float64, step line) {
	var g0, g1 float64               // gradient by bias and slope
	h00, h01, h11 := 1e-9, 0.0, 1e-9 // its derivative; a ridge, where all odds are the same
	for _, f := range findings {
		x := max(-mostOdds, min(mostOdds, f.Odds))
		target := low
		if f.Right {
			target = high
		}
		z := l.slope*x + l.bias
		p := 1 / (1 + math.Exp(-z))
		loss += softplus(z) - target*z
		g0, g1 = g0+p-target, g1+(p-target)*x
		w := p * (1 - p)
		h00, h01, h11 = h00+w, h01+w*x, h11+w*x*x
	}
	det := h00*h11 - h01*h01
	return loss, line{slope: (h00*g1 - h01*g0) / det, bias: (h11*g0 - h01*g1) / det}
}

func softplus(z float64) float64 { return max(z, 0) + math.Log1p(math.Exp(-math.Abs(z))) }
