package encoder

// Rows are texts as the input of [BERT]: rows of word pieces, each [CLS], pieces, [SEP] and padding. A text that
// is longer than a row takes several, overlapping ones (see [Windows]); one without pieces takes one.
type Rows struct {
	Count, Length int       // R, S
	IDs           []int32   // [R, S] word pieces; padding has the id 0
	Mask          []float32 // [R, S] 1 for a piece; a row without pieces has a 1 at its start, since attention to nothing is no number
	Places        [][]int32 // for each text and each of its pieces, where the piece stands in the flat [R·S]
}

// LayOut lays texts out as rows of the given length, [CLS] and [SEP] included. The windows of a text that is
// longer follow one another at half a row.
func LayOut(texts [][]Piece, t *Tokenizer, length int) Rows {
	r := Rows{Length: length, Places: make([][]int32, len(texts))}
	size := length - 2
	windows := make([][]Window, len(texts))
	for i, pieces := range texts {
		windows[i] = Windows(len(pieces), size, (size+1)/2)
		r.Count += max(1, len(windows[i]))
	}
	r.IDs = make([]int32, r.Count*r.Length)
	r.Mask = make([]float32, r.Count*r.Length)
	row := 0
	for i, pieces := range texts {
		if len(pieces) == 0 {
			r.Mask[row*r.Length] = 1
			row++
			continue
		}
		r.Places[i] = make([]int32, len(pieces))
		for _, w := range windows[i] {
			r.fill(row, pieces, w, t, r.Places[i])
			row++
		}
	}
	return r
}

// fill writes one window of a text.
func (r Rows) fill(row int, pieces []Piece, w Window, t *Tokenizer, places []int32) {
	base := row * r.Length
	length := w.End - w.Start
	r.IDs[base] = t.CLS()
	r.IDs[base+length+1] = t.SEP()
	for p := range length + 2 {
		r.Mask[base+p] = 1
	}
	for p := w.Start; p < w.End; p++ {
		at := base + 1 + p - w.Start
		r.IDs[at] = pieces[p].ID
		if p >= w.From && p < w.To {
			places[p] = int32(at)
		}
	}
}
