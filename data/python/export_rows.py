"""The rows of a data set as JSON lines, by the user's own Python.

export_rows.py hf:NAME|FILE.parquet SPLIT OUT

Exit code 3: a module is missing; its name is the last line of standard error.
"""
import json
import sys


def from_hub(name, split):
    from datasets import load_dataset

    return load_dataset(name, split=split)


def from_parquet(path):
    try:
        import pyarrow.parquet as parquet
    except ImportError:
        from datasets import load_dataset

        return load_dataset("parquet", data_files=path, split="train")
    return parquet.read_table(path).to_pylist()


def main(source, split, out):
    try:
        rows = from_hub(source[3:], split) if source.startswith("hf:") else from_parquet(source)
    except ImportError as e:
        print(e.name or str(e), file=sys.stderr)
        return 3
    with open(out, "w", encoding="utf-8") as f:
        for row in rows:
            f.write(json.dumps(dict(row), ensure_ascii=False, default=str) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
