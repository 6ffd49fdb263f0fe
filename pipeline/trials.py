"""The trials of a search, from what Tuner left: a table in the run's folder, and the best one for the summary."""

import csv
import json
from pathlib import Path
from typing import Any

from efficientmixnet.modules.search_config import found_values
from efficientmixnet.pipeline.config import Config
from efficientmixnet.pipeline.summary import Search

TRIALS_FILE = "trials.csv"
_RESULTS_FILE = "tuner_results.json"  # TFX's name


def write_trials(results: str, config: Config, folder: Path) -> Search | None:
    """From the folder of Tuner's results, the best trial first; None where no search left anything."""
    file = Path(results, _RESULTS_FILE)
    if not file.is_file():
        return None
    search, whole = config.search, config.search.of_a_trial(config).training.epochs
    rows: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    with (folder / TRIALS_FILE).open("w", newline="", encoding="utf-8") as table:
        writer = csv.writer(table)
        writer.writerow(["trial", search.objective, "epochs", *search.space])
        for row in rows:
            values = found_values(row)
            epochs = row.get("tuner/epochs", whole)
            tried = [json.dumps(one) if isinstance(one, dict | list) else one for one in map(values.get, search.space)]
            writer.writerow([int(row["trial_id"]) + 1, row["score"], epochs, *tried])
    best = rows[0]
    return Search(trials=len(rows), objective=search.objective, best=best["score"], values=found_values(best))
