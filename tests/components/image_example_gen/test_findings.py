"""What is said about the data as a whole."""

from efficientmixnet.components.image_example_gen.entry import LeftOut
from efficientmixnet.components.image_example_gen.findings import Copy, Duplicates, by_reason, warnings

NONE = Duplicates(())


def test_the_same_reason_counts_once_whatever_else_it_says() -> None:
    left_out = [
        LeftOut("a", "has 20000 x 10000 pixels, over the limit (data.max_pixels: 100000000)"),
        LeftOut("b", "has 300 x 10000 pixels, over the limit (data.max_pixels: 100000000)"),
        LeftOut("c", "has zero bytes"),
        LeftOut("d", "has been named before, as 'cat' (list.csv, line 4)"),
        LeftOut("e", "has been named before, as 'große Katze' (list.csv, line 50)"),
        LeftOut("f", "has been named before, as 'dog' (list.csv, line 5)"),
        LeftOut("g", "has a broken header (bad magic)"),
    ]
    assert by_reason(left_out) == {
        "has been named before, as …": 3,
        "has … x … pixels": 2,
        "has zero bytes": 1,
        "has a broken header": 1,
    }


def test_balanced_data_without_copies_is_worth_no_word() -> None:
    counts = {"train": {"cat": 50, "dog": 40}, "eval": {"cat": 10, "dog": 11}}
    same = (Copy("a", "cat", "train"), Copy("b", "cat", "train"))
    assert warnings(counts, Duplicates((same,)), [LeftOut("c", "has zero bytes")]) == []


def test_the_same_bytes_under_two_labels_are_named() -> None:
    both = Copy("cat/1.jpg", "cat", "train"), Copy("dog/7.jpg", "dog", "train")
    assert warnings({}, Duplicates((both,)), []) == [
        "one image has the same bytes under two labels: cat/1.jpg (cat) and dog/7.jpg (dog)"
    ]


def test_the_same_image_in_training_and_evaluation_is_named() -> None:
    groups = tuple((Copy(f"{n}.jpg", "cat", "eval"), Copy(f"{n}b.jpg", "cat", "train")) for n in range(4))
    assert warnings({}, Duplicates(groups), []) == [
        "4 images have copies in another split, so that evaluation is no test of them: "
        "0.jpg (eval) and 0b.jpg (train); 1.jpg (eval) and 1b.jpg (train); 2.jpg (eval) and 2b.jpg (train); ..."
    ]


def test_of_many_copies_one_on_each_side_is_named() -> None:
    many = tuple(Copy(f"{n}.jpg", "cat", "eval" if n in (2, 5) else "train") for n in range(9))
    (warning,) = warnings({}, Duplicates((many,)), [])
    assert warning.endswith("evaluation is no test of them: 2.jpg (eval) and 0.jpg (train)")


def test_small_untested_and_uneven_classes_are_named() -> None:
    counts = {"train": {"cat": 101, "dog": 100, "eel": 10, "fox": 9}, "eval": {"cat": 9, "dog": 9, "eel": 1}}
    assert warnings(counts, NONE, []) == [
        "one class has no image in the evaluation split: fox",
        "one class has fewer than 10 training images: fox",
        "the classes are uneven, 101 training images of cat and 9 of fox: accuracy says little about the small ones",
    ]


def test_a_file_of_many_that_broke_off_is_named() -> None:
    left_out = [LeftOut("a.tar", "is truncated after 12 records"), LeftOut("a.tar/3", "has zero bytes")]
    assert warnings({}, NONE, left_out) == ["a.tar is truncated after 12 records: what follows in it is lost"]
