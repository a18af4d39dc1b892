// Package encoder turns text into vectors: word pieces with exact byte offsets, and BERT over them.
//
// The tokenizer gives the ids of Hugging Face's BertTokenizer and, for each piece, the range of the original
// text that it stands for, whatever lower-casing and accent stripping did to it. BERT is a GoMLX graph that a
// caller puts into its own model; Encoder is the same graph ready to run. Both read a Hugging Face folder:
// config.json, vocab.txt, tokenizer_config.json (optional) and model.safetensors.
//
// Offsets are bytes of the UTF-8 text, 0-based and end-exclusive.
package encoder
