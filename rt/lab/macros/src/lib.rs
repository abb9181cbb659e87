//! `#[asr_lab::test]`: a test that runs under many seeds, each twice.
#![forbid(unsafe_code)]

use proc_macro::TokenStream;
use quote::quote;
use syn::meta::ParseNestedMeta;
use syn::{Error, Expr, ItemFn, parse_macro_input};

/// Makes a test of an `async fn` that takes the context of the main task.
///
/// `seeds` is how many seeds it runs under (10 if not said; ten times that in a full run),
/// `max_steps` the bound of each run. Each seed runs twice, and the traces must be equal. A failure
/// prints the line that repeats it; with `LAB_SEED` set that seed runs alone.
///
/// ```text
/// #[asr_lab::test(seeds = 50)]
/// async fn a_child_is_joined(cx: Cx) -> Result<(), Failure> {
///     let child = cx.spawn(async |_| Ok(7))?;
///     assert_eq!(child.join(&cx).await?.into_result()?, 7);
///     Ok(())
/// }
/// ```
#[proc_macro_attribute]
pub fn test(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut options = Options::default();
    let parser = syn::meta::parser(|meta| options.set(&meta));
    parse_macro_input!(args with parser);
    let function = parse_macro_input!(item as ItemFn);
    if function.sig.asyncness.is_none() || function.sig.inputs.len() != 1 {
        let message = "a lab test is `async fn name(cx: Cx) -> Result<(), Failure>`";
        return Error::new_spanned(&function.sig, message)
            .to_compile_error()
            .into();
    }
    let name = &function.sig.ident;
    let attributes = &function.attrs;
    let seeds = options
        .seeds
        .map_or_else(|| quote!(10), |seeds| quote!(#seeds));
    let steps = options
        .max_steps
        .map(|steps| quote!(config.max_steps = #steps;));
    let bare = ItemFn {
        attrs: Vec::new(),
        ..function.clone()
    };
    quote! {
        #[::core::prelude::v1::test]
        #(#attributes)*
        fn #name() {
            #bare
            let site = ::asr_lab::Site {
                package: ::core::env!("CARGO_PKG_NAME"),
                module: ::core::module_path!(),
                test: ::core::stringify!(#name),
            };
            let configure = |config: &mut ::asr_lab::LabConfig| { let _ = &config; #steps };
            ::asr_lab::check(&site, #seeds, configure, || #name);
        }
    }
    .into()
}

#[derive(Default)]
struct Options {
    seeds: Option<Expr>,
    max_steps: Option<Expr>,
}

impl Options {
    fn set(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        if meta.path.is_ident("seeds") {
            self.seeds = Some(meta.value()?.parse()?);
        } else if meta.path.is_ident("max_steps") {
            self.max_steps = Some(meta.value()?.parse()?);
        } else {
            return Err(meta.error("the options are `seeds` and `max_steps`"));
        }
        Ok(())
    }
}
