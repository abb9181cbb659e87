//! Programs that must not compile. What the compiler says of each stands beside it; after a change
//! of words, `TRYBUILD=overwrite cargo test -p asr-kernel --test ui` writes it anew.

fn refused(names: &[&str]) {
    let programs = trybuild::TestCases::new();
    for name in names {
        programs.compile_fail(format!("tests/ui/{name}.rs"));
    }
}

/// The other half of the check, a narrowed context at run time, is in `caps`.
#[test]
fn cap_6_part_an_operation_without_its_token_does_not_compile() {
    refused(&["cap_6_tokens"]);
}

/// The property over random chains is in `caps`.
#[test]
fn cap_7_a_narrowed_type_has_no_way_back() {
    refused(&["cap_7_widen"]);
}

/// The status through the C ABI waits for it.
#[test]
fn cap_9_part_a_scope_stays_within_its_environment() {
    refused(&["cap_9_scope"]);
}

/// What dropping or forgetting a scope does is in the tests of the lab; compiled fibers come with a
/// later part.
#[test]
fn tsk_2_part_a_borrow_does_not_escape() {
    refused(&["tsk_2_escape", "tsk_2_body", "tsk_2_stash"]);
}

#[test]
fn tsk_3_a_task_borrows_nothing_and_is_sendable() {
    refused(&["tsk_3_borrow", "tsk_3_send"]);
}

/// The status through the C ABI waits for it.
#[test]
fn tsk_16_part_a_handle_is_joined_once() {
    refused(&["tsk_16_join_twice"]);
}
