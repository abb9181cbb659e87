//! Programs that must not compile, and whether what is said of them says what to do. After a change
//! of words, `TRYBUILD=overwrite cargo test -p asr-rt --test ui` writes it anew.

#[test]
fn a_wrong_main_is_told_its_form() {
    let programs = trybuild::TestCases::new();
    for name in [
        "main_sync",
        "main_bare",
        "main_arguments",
        "main_context",
        "main_returns",
        "main_option",
    ] {
        programs.compile_fail(format!("tests/ui/{name}.rs"));
    }
}
