"""The team's reference models through `ingot check`: every data set of each
encoder, at the tolerance of its meta.json."""

import json

import harness
import pytest

ENCODERS = [
    "bert", "bert_fused", "bert_o23", "bert_qdq", "bert_ts", "conformer_block", "distilbert",
    "t5_encoder", "vit", "whisper_encoder",
]  # fmt: skip


@pytest.mark.skipif(not harness.SHARED.exists(), reason="shared models are not beside this clone")
@pytest.mark.parametrize("case", ENCODERS)
def test_encoder(case, tmp_path):
    report = tmp_path / "report.json"
    done = harness.ingot("check", harness.SHARED / case, "--json", report)
    assert done.returncode == 0, done.stdout + done.stderr
    (entry,) = json.loads(report.read_text())["cases"]
    assert entry["status"] == "passed", entry
