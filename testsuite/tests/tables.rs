//! The tables of intrinsics that programs use, all together (rules ABI-12, ABI-17).

#[test]
fn abi_17_tables_agree_with_each_other_and_with_the_symbols() {
    let symbols: Vec<&str> = [asr_rt::symbols(), asr_value::symbols()]
        .into_iter()
        .flatten()
        .map(|(name, _)| name)
        .collect();
    if let Err(errors) =
        asr_intrinsics::check(&[&asr_intrinsics::CORE, &asr_value::TABLE], &symbols)
    {
        let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
        panic!("{}", errors.join("\n"));
    }
}

#[test]
fn abi_17_every_symbol_has_an_address_of_its_own_kind() {
    for (name, address) in asr_rt::symbols().into_iter().chain(asr_value::symbols()) {
        assert!(!address.is_null(), "{name}");
        assert!(
            name == "asr_checkpoint" || name.starts_with("asr_i_"),
            "{name}"
        );
    }
}
