"""Many runs: engines, resumable stores, comparisons, trainings, studies' points."""
