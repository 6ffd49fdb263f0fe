"""Findings about the whole dataset."""

from efficientmixnet.components.image_example_gen.entry import LeftOut
from efficientmixnet.components.image_example_gen.findings import Copy, Duplicates, by_reason, warnings

NONE = Duplicates(())


def test_reasons_are_counted_without_the_details_of_one_file() -> None:
    left_out = [
        LeftOut("a", "has 20000 x 10000 pixels, over the limit (data.max_pixels: 100000000)"),
        LeftOut("b", "has 300 x 10000 pixels, over the limit (data.max_pixels: 100000000)"),
        LeftOut("c", "has zero bytes"),
        LeftOut("d", "is already listed with the label 'cat' (list.csv, line 4)"),
        LeftOut("e", "is already listed with the label 'große Katze' (list.csv, line 50)"),
        LeftOut("f", "is already listed with the label 'dog' (list.csv, line 5)"),
        LeftOut("g", "has a broken header (bad magic)"),
        LeftOut("h", "has 500,000,001 bytes, over the limit (data.max_image_bytes: 500000000)"),
    ]
    assert by_reason(left_out) == {
        "is already listed with the label …": 3,
        "has more pixels than data.max_pixels: 100000000": 2,
        "has zero bytes": 1,
        "has a broken header": 1,
        "has more bytes than data.max_image_bytes: 500000000": 1,
    }


def test_a_reason_keeps_the_details_that_all_files_share() -> None:
    left_out = [
        LeftOut("a", "has the split 'holdout', which is not one of eval, train (list.csv, line 2)"),
        LeftOut("b", "has the split 'holdout', which is not one of eval, train (list.csv, line 3)"),
        LeftOut("c", "has zero bytes"),
    ]
    assert by_reason(left_out) == {
        "has the split 'holdout', which is not one of eval, train": 2,
        "has zero bytes": 1,
    }


def test_balanced_data_without_copies_gives_no_warning() -> None:
    counts = {"train": {"cat": 50, "dog": 40}, "eval": {"cat": 10, "dog": 11}}
    same = (Copy("a", "cat", "train"), Copy("b", "cat", "train"))
    assert warnings(counts, Duplicates((same,)), [LeftOut("c", "has zero bytes")]) == []


def test_the_same_bytes_under_two_labels_give_a_warning() -> None:
    both = Copy("cat/1.jpg", "cat", "train"), Copy("dog/7.jpg", "dog", "train")
    assert warnings({}, Duplicates((both,)), []) == [
        "one image has the same bytes under two labels: cat/1.jpg (cat) and dog/7.jpg (dog)"
    ]


def test_the_same_image_in_training_and_evaluation_gives_a_warning() -> None:
    groups = tuple((Copy(f"{n}.jpg", "cat", "eval"), Copy(f"{n}b.jpg", "cat", "train")) for n in range(4))
    assert warnings({}, Duplicates(groups), []) == [
        "4 images have copies in another split, so evaluation measures images of training: "
        "0.jpg (eval) and 0b.jpg (train); 1.jpg (eval) and 1b.jpg (train); 2.jpg (eval) and 2b.jpg (train); ..."
    ]


def test_of_many_copies_the_warning_names_one_in_each_split() -> None:
    many = tuple(Copy(f"{n}.jpg", "cat", "eval" if n in (2, 5) else "train") for n in range(9))
    (warning,) = warnings({}, Duplicates((many,)), [])
    assert warning.endswith("evaluation measures images of training: 2.jpg (eval) and 0.jpg (train)")


def test_small_untested_and_uneven_classes_give_warnings() -> None:
    counts = {"train": {"cat": 101, "dog": 100, "eel": 10, "fox": 9}, "eval": {"cat": 9, "dog": 9, "eel": 1}}
    assert warnings(counts, NONE, []) == [
        "one class has no image in the evaluation split: fox",
        "one class has fewer than 10 training images: fox",
        "the classes are uneven, 101 training images of cat and 9 of fox: accuracy says little about the small classes",
    ]


def test_a_class_whose_images_cannot_be_read_gives_a_warning() -> None:
    counts = {"train": {"cat": 100, "dog": 100}, "eval": {"cat": 9, "dog": 9}}
    assert warnings(counts, NONE, [], listed=["cat", "dog", "eel"]) == ["one class has no image that can be read: eel"]


def test_a_truncated_file_of_many_images_gives_a_warning() -> None:
    left_out = [LeftOut("a.tar", "is truncated after 12 records"), LeftOut("a.tar/3", "has zero bytes")]
    assert warnings({}, NONE, left_out) == ["a.tar is truncated after 12 records. The rest of the file is not used."]


def test_labels_that_differ_only_in_case_spaces_or_point_zero_give_a_warning() -> None:
    labels = ["Cat", "cat", "golden retriever", "golden  retriever", "dog", "hotdog", "hot dog", "1", "1.0"]
    counts = {"train": dict.fromkeys(labels[1:], 50), "eval": dict.fromkeys(labels, 50)}
    (warning,) = warnings(counts, NONE, [])
    assert warning == (
        "some classes have names that differ only in case, spaces or .0; give them one name if they are the same "
        "class: '1' and '1.0'; 'Cat' and 'cat'; 'golden  retriever' and 'golden retriever'"
    )


def test_of_many_labels_that_differ_only_in_case_the_warning_names_the_first() -> None:
    counts = {"train": {label: 50 for letter in "abcd" for label in (letter, letter.upper())}}
    assert warnings(counts, NONE, [])[0].endswith(": 'A' and 'a'; 'B' and 'b'; 'C' and 'c'; ...")
