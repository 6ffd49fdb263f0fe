"""The page of `efficientmixnet try`: a pushed model in the browser, on this machine alone."""
