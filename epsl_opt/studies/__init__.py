"""Questions about EPSL: a study is its question, its settings and its findings."""
