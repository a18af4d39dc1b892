#!/usr/bin/env python3
"""Reference values for the tests of package encoder, from Hugging Face's own implementation.

    python3 -m venv /tmp/reference
    /tmp/reference/bin/pip install torch transformers tokenizers
    /tmp/reference/bin/python scripts/encoder_reference.py encoders/minilm-l6

writes to encoder/testdata: hidden.json (chosen values of the last hidden state of BertModel, float32 on the
CPU), vocab.txt (the pieces of the encoder that spell the texts below, and their letters) and pieces.json (ids in
that vocabulary and offsets, by the fast BertTokenizer). With --lines FILE (plain or .gz) and --out FILE it instead
writes ids in the whole vocabulary and offsets of each line of a text file, as JSON lines, for the comparison that
KECI_TOKENIZER_REFERENCE switches on in the tests.

Offsets are converted from the code points of the tokenizers library to bytes.
"""

import argparse
import gzip
import json
import pathlib

TESTDATA = pathlib.Path(__file__).parent.parent / "encoder" / "testdata"

SENTENCES = [
    "FKBP12 binds FK506 and rapamycin, and the complex inhibits calcineurin.",
    "Aspirin",
    "p53.",
    "The α-subunit of IL-2R (CD25) is up-regulated 3.5-fold in T cells [12].",
    "Naïve B-cells from Sjögren's patients express TNF-α mRNA.",
    "Phosphatidylinositol-4,5-bisphosphate 3-kinase catalytic subunit delta isoform",
    "A 54-year-old woman developed agranulocytosis after 3 weeks of clozapine 300 mg/day.",
    "DNA polymerase ε and PCNA were co-immunoprecipitated with anti-FLAG M2 beads, washed with 0.1% Tween-20.",
    "No interaction between Bcl-xL and Bax was seen in the absence of BH3-only proteins (Bim, Bid, Puma).",
    "Heparin-induced thrombocytopenia (HIT) is caused by antibodies against complexes of platelet factor 4 and "
    "heparin; these activate platelets through FcγRIIa, and the resulting thrombin generation leads to thrombosis "
    "in up to half of the patients who are not treated with an alternative anticoagulant such as argatroban.",
]

TEXTS = SENTENCES + [
    "",
    "   ",
    "a b  c\td\ne",
    "Caf\u00e9 au lait, cafe\u0301 noir",
    "re\u00adceptor so\u00adft",  # soft hyphens
    "5\u00a0mg\u202fkg\u2009per day",  # no-break and narrow spaces
    "zero\u200bwidth \ufeffmark \u200djoiner",
    "\u0391\u0392\u0393 \u03a3\u0391\u03a3 \u03ac\u03ad\u03ae \u1f00\u03c1\u03c7\u03ae",  # Greek, final sigma, accents
    "\u86cb\u767d\u8d28p53\u7ed3\u5408DNA",  # Chinese with Latin inside
    "\u30bf\u30f3\u30d1\u30af\u8cea \u304c\u304e\u3050",  # kana with voicing marks
    "\ub2e8\ubc31\uc9c8 kinase",  # Korean
    "\u0130stanbul \u0131\u0307 \u1e9e \ufb01ne",  # dotted I, sharp s, ligature
    "\U0001f9ec\U0001f48a gene\U0001f600therapy \U0001f468\u200d\U0001f469",  # emoji
    "x\u0000y \ufffd z\u0007w",
    "1\u20442 \u00bd H\u2082O Ca\u00b2\u207a \u2103 \u212b \u2126",
    "\u201cquoted\u201d \u2018it\u2019s\u2019 \u2014 dash\u2013dash \u2026",
    "p<0.05; $5 = \u20ac4 ^ ~ ` | \\ _snake_case_",
    "\uf0b7bullet pri\ue000vate",  # private use
    "[CLS] is plain text, [MASK] too",
    "x" * 100 + " " + "y" * 101,
    "\u00e9" * 100 + " " + "e\u0301" * 101,
    "\u0301lonely \u0301 mark",
    "\u05e9\u05c1\u05b8\u05dc\u05d5\u05b9\u05dd \u0645\u064f\u062d\u064e\u0645\u0651\u064e\u062f \u0939\u093f\u0928\u094d\u0926\u0940",
]


def read_vocab(folder):
    with open(pathlib.Path(folder) / "vocab.txt", encoding="utf-8", newline="\n") as f:
        return {piece.rstrip("\n"): i for i, piece in enumerate(f)}


def fast_tokenizer(vocab, lower_case=True):
    """The tokenizer of tokenizers, with special names in a text taken as plain text."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordPiece
    from tokenizers.normalizers import BertNormalizer
    from tokenizers.pre_tokenizers import BertPreTokenizer

    tokenizer = Tokenizer(WordPiece(vocab, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = BertNormalizer(lowercase=lower_case)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    return tokenizer


def pieces(tokenizer, text):
    """Ids and byte offsets: [[id, start, end], …]."""
    to_byte = [0]
    for char in text:
        to_byte.append(to_byte[-1] + len(char.encode()))
    encoding = tokenizer.encode(text, add_special_tokens=False)
    return [[i, to_byte[a], to_byte[b]] for i, (a, b) in zip(encoding.ids, encoding.offsets)]


def write_vocab(folder):
    """Writes the part of the vocabulary that the texts need, in its order, and returns it."""
    vocab = read_vocab(folder)
    tokenizer = fast_tokenizer(vocab)
    used = {i for text in TEXTS for i in tokenizer.encode(text, add_special_tokens=False).ids}
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    single = [p for p in vocab if len(p.removeprefix("##")) == 1 and p.isascii()]
    small = special + sorted({p for p, i in vocab.items() if i in used} | set(single))
    small = list(dict.fromkeys(small))
    (TESTDATA / "vocab.txt").write_text("\n".join(small) + "\n", encoding="utf-8")
    return {piece: i for i, piece in enumerate(small)}


def write_pieces(vocab):
    cases = []
    for lower_case in (True, False):
        tokenizer = fast_tokenizer(vocab, lower_case)
        cases += [{"lowerCase": lower_case, "text": t, "pieces": pieces(tokenizer, t)} for t in TEXTS]
    with open(TESTDATA / "pieces.json", "w", encoding="utf-8") as f:
        f.write("[\n" + ",\n".join(json.dumps(c, ensure_ascii=True, separators=(",", ":")) for c in cases) + "\n]\n")


def write_hidden(folder):
    import torch
    import transformers

    model = transformers.BertModel.from_pretrained(folder, attn_implementation="eager").eval()
    tokenizer = fast_tokenizer(read_vocab(folder))
    cases = []
    for sentence in SENTENCES:
        ids = [101] + [p[0] for p in pieces(tokenizer, sentence)] + [102]
        with torch.no_grad():
            hidden = model(torch.tensor([ids])).last_hidden_state[0]
        # Enough to see any mistake, few enough to keep: the norm of each vector and a slanted line of values.
        values = [[t, (7 * t + 29 * k) % hidden.shape[1]] for t in range(len(ids)) for k in range(4)]
        cases.append({
            "text": sentence,
            "ids": ids,
            "norms": [round(float(x), 6) for x in hidden.double().norm(dim=1)],
            "values": [[t, c, round(float(hidden[t, c]), 7)] for t, c in values],
        })
    made = {"torch": torch.__version__, "transformers": transformers.__version__, "cases": cases}
    with open(TESTDATA / "hidden.json", "w", encoding="utf-8") as f:
        json.dump(made, f, ensure_ascii=True, separators=(",", ":"))
        f.write("\n")


def write_lines(folder, source, target, limit):
    opener = gzip.open if source.endswith(".gz") else open
    tokenizer = fast_tokenizer(read_vocab(folder))
    with opener(source, "rt", encoding="utf-8", newline="\n") as lines, open(target, "w", encoding="utf-8") as out:
        for _, line in zip(range(limit), lines):
            text = line.rstrip("\n")
            out.write(json.dumps({"lowerCase": True, "text": text, "pieces": pieces(tokenizer, text)}) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", help="Hugging Face folder of the encoder")
    parser.add_argument("--lines", help="text file, one text a line")
    parser.add_argument("--out", help="where the pieces of --lines go")
    parser.add_argument("--limit", type=int, default=2000, help="lines to take")
    args = parser.parse_args()
    if args.lines:
        if not args.out:
            parser.error("--lines needs --out")
        write_lines(args.folder, args.lines, args.out, args.limit)
        return
    TESTDATA.mkdir(exist_ok=True)
    write_pieces(write_vocab(args.folder))
    write_hidden(args.folder)


if __name__ == "__main__":
    main()
