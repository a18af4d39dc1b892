package compiled

// RoundUp is the lowest multiple of step that is not below n: dimensions that are
// rounded up give few shapes to compile.
func RoundUp(n, step int) int { return (n + step - 1) / step * step }

// RoundUpPower multiplies step by factor until it is not below n.
func RoundUpPower(n, step, factor int) int {
	for step < n {
		step *= factor
	}
	return step
}
