"""write_trials: writes the trials of a search to trials.csv."""

import json
from pathlib import Path
from typing import Any

from efficientmixnet.modules.config.search_config import found_values
from efficientmixnet.modules.files.csv_cells import write_rows
from efficientmixnet.modules.files.stored_file import made_again, read_json
from efficientmixnet.modules.files.whole_file import whole_file
from efficientmixnet.modules.text.secrets import mask
from efficientmixnet.pipeline.config.config import Config
from efficientmixnet.pipeline.runs.run_summary import Search

TRIALS_FILE = "trials.csv"
_RESULTS_FILE = "tuner_results.json"  # TFX's name
_FAILURES_FILE = "failed_trials.json"  # from components/tuner/component.py, which imports TFX


def write_trials(results: str, config: Config, folder: Path) -> Search | None:
    """Writes trials.csv: the best trial first, and the failed ones last.

    Args:
        results: The folder of Tuner's results.
        config: The configuration of the run.
        folder: The folder to write to.

    Returns:
        The summary of the search, or None without a search.
    """
    if not Path(results, _RESULTS_FILE).is_file():
        return None
    search, whole = config.search, config.search.of_a_trial(config).training.epochs
    done, failed = _read(results, _RESULTS_FILE), _read(results, _FAILURES_FILE)
    with whole_file(folder / TRIALS_FILE, newline="", encoding="utf-8") as table:
        write_rows(table, [["trial", search.objective, "epochs", *search.space, "state", "reason"]])
        for row in done + failed:
            values = found_values(row)
            epochs = row.get("tuner/epochs", whole)
            tried = [json.dumps(one) if isinstance(one, dict | list) else one for one in map(values.get, search.space)]
            ended = ["failed", mask(row["reason"])] if "reason" in row else ["done", ""]
            write_rows(table, [[int(row["trial_id"]) + 1, row.get("score"), epochs, *tried, *ended]])
    best = done[0]
    return Search(
        trials=len(done) + len(failed),
        failed=len(failed),
        objective=search.objective,
        best=best["score"],
        values=found_values(best),
    )


def _read(results: str, name: str) -> list[dict[str, Any]]:
    file = Path(results, name)
    return read_json(file, made_again(results)) if file.is_file() else []
