"""The run that the pages of the tests belong to."""

RUN = {
    "started": "2020-01-02T03:04:05+00:00",
    "run": "/runs/1",
    "pushed_model": None,
    "revision": "abc",
    "versions": {"keras": "3"},
    "seconds": {"Trainer": 12.5, "Pusher": 0.1},
    "elapsed": None,
    "costs": {},
    "currency": None,
    "search": None,
    "cached": ["Pusher"],
}
