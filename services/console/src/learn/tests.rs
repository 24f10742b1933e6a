//! Tests of the module above.

use super::cell_of;

#[test]
fn a_cell_is_quoted_and_never_a_formula() {
    assert_eq!(cell_of("=HYPERLINK(\"x\")"), "\"'=HYPERLINK(\"\"x\"\")\"");
    assert_eq!(cell_of("a, b"), "\"a, b\"");
    assert_eq!(cell_of("-3.5"), "-3.5");
    assert_eq!(cell_of("@SUM"), "'@SUM");
}
