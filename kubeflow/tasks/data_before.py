"""DataBefore: records the data that this run reads, and finds the data before it.

It runs in every run. LatestSpans and ExampleValidator are cached, and run again if it finds other data.
"""

import json

from efficientmixnet.kubeflow.fetched_inputs import NONE
from efficientmixnet.kubeflow.store.data_records import DataRecords, DataSet
from efficientmixnet.kubeflow.tasks.task import Task


def run(task: Task) -> None:
    """Sets `before`, the URI of the statistics of the previous data, and `earlier`, the examples of earlier spans."""
    examples, statistics = task.inputs["examples"], task.inputs["statistics"]
    data = DataSet(
        source=examples.properties.get("source", ""),
        span=int(examples.properties.get("span", 0)),
        version=int(examples.properties.get("version", 0)),
        examples=examples.uri,
        statistics=statistics.uri,
    )
    history = DataRecords(task.parameters["records"]).note(data)
    task.values["before"] = history.statistics_before() or NONE
    task.values["earlier"] = json.dumps(history.examples_before(int(task.parameters["spans"]) - 1))
