"""What the benchmark of hunts says is what was there."""

from pathlib import Path

from benchmarks.hunts import measure_files, measure_posts


def test_planted_adverts_are_all_found_in_the_window_measured(tmp_path: Path) -> None:
    measured = measure_posts(7_500, tmp_path)
    assert measured.planted == measured.found == 1
    assert measured.events > measured.posts == 7_500


def test_planted_hashes_are_all_found_among_the_files_measured(tmp_path: Path) -> None:
    measured = measure_files(200, tmp_path)
    assert (measured.planted, measured.found) == (2, 2)
