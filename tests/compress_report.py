"""A report of a compression with made-up figures, for tests that need no compression."""

LAYERS = [
    {"layer": "conv1", "is_changed": True, "note": "6 → 3 channels"},
    {"layer": "fc3", "is_changed": False, "note": "its 10 outputs are the classes"},
]


def make_row(variant, engine="PyTorch", p50_ms=0.3, quality=0.99, size_bytes=1000, **others):
    return {
        "model": "lenet",
        "variant": variant,
        "engine": engine,
        "parameters": 61_706,
        "nonzeros": 61_000,
        "size_bytes": size_bytes,
        "peak_memory_bytes": 2_500_000,
        "p50_ms": p50_ms,
        "p95_ms": 2 * p50_ms,
        "batch_size": 256,
        "batch_p50_ms": 12.0,
        "throughput_per_s": 21_345.6,
        "speedup": 0.3 / p50_ms,
        "speedup_low": 0.9,
        "speedup_high": 1.1,
        "verdict": "same",
        "verdict_text": "same (0.90 to 1.10 times as fast)",
        "quality": quality,
        "disagreement": 0.01,
        "num_runs": 300,
    } | others


def make_report(**others):
    rows = [
        make_row("dense", size_bytes=247_560),
        make_row("pruned", p50_ms=0.2, quality=0.98, size_bytes=85_000),
        make_row("masked", quality=0.30),
        make_row(
            "pruned-int8",
            "OpenVINO",
            p50_ms=0.1,
            quality=0.97,
            verdict="faster",
            verdict_text="3.0x faster (2.9 to 3.1)",
        ),
    ]
    return {
        "row": rows[3],
        "rows": rows,
        "unit": "image",
        "samples": "all 10,000 test images",
        "quality_name": "Test accuracy",
        "load_average": 0.25,
        "num_threads": 2,
        "importance": {"conv1": [0.1, 0.2]},
        "sensitivity": [
            {"layer": "conv1", "change": "pruned", "accuracy_loss": 0.3},
            {"layer": "conv1", "change": "int8", "accuracy_loss": -0.0002},
        ],
        "sensed_ratio": 0.4,
        "histograms": [
            {"form": "dense", "limit": 0.5, "shares": [0.2, 0.6, 0.2], "zeros": 0.0},
            {"form": "masked", "limit": 0.5, "shares": [0.1, 0.8, 0.1], "zeros": 0.8},
        ],
        "sources": {},
        "changes": {"pruned": LAYERS},
    } | others
