//! `#[asr_rt::main]`: a main function that is a task.
#![forbid(unsafe_code)]

use proc_macro::TokenStream;
use quote::quote;
use syn::meta::ParseNestedMeta;
use syn::{Error, Expr, ItemFn, ReturnType, Signature, parse_macro_input};

/// Makes the main function of a program the first task of a runtime.
///
/// The process ends when nothing of the runtime runs any more. What main returns is the outcome:
/// after an error, a cancel or a panic standard error says which, and the exit code is not 0.
///
/// ```text
/// use asr_rt::{Cx, Failure};
///
/// #[asr_rt::main]
/// async fn main(cx: Cx) -> Result<(), Failure> {
///     let child = cx.spawn(async |_| Ok("a task"))?;
///     println!("{} said hello", child.join(&cx).await?.into_result()?);
///     Ok(())
/// }
/// ```
///
/// `#[asr_rt::main(workers = 4)]` sets the number of worker threads. `config = "asr.toml"` reads
/// the values of the runtime from a file when the program starts; what stands here goes before what
/// stands there.
#[proc_macro_attribute]
pub fn main(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut options = Options::default();
    let parser = syn::meta::parser(|meta| options.set(&meta));
    let parsed = syn::parse::Parser::parse(parser, args);
    let function = parse_macro_input!(item as ItemFn);
    match parsed.and_then(|()| expand(&options, &function)) {
        Ok(tokens) => tokens,
        Err(error) => refuse(&error, &function),
    }
}

/// The refusal, and a main function that is one, so that the compiler does not ask for it again.
fn refuse(error: &Error, function: &ItemFn) -> TokenStream {
    let (said, name) = (error.to_compile_error(), &function.sig.ident);
    quote! {
        #said
        fn #name() {
            #[allow(dead_code)]
            #function
        }
    }
    .into()
}

fn expand(options: &Options, function: &ItemFn) -> syn::Result<TokenStream> {
    check(&function.sig)?;
    let (name, visibility) = (&function.sig.ident, &function.vis);
    let attributes = &function.attrs;
    let bare = ItemFn {
        attrs: Vec::new(),
        ..function.clone()
    };
    let config = options
        .config
        .as_ref()
        .map(|path| quote!(let builder = builder.and_then(|builder| builder.config_file(#path));));
    let workers = options
        .workers
        .as_ref()
        .map(|workers| quote!(let builder = builder.map(|builder| builder.workers(#workers));));
    let tokens = quote! {
        #(#attributes)*
        #visibility fn #name() -> ::std::process::ExitCode {
            #bare
            let builder = ::core::result::Result::Ok(::asr_rt::Builder::new());
            #config
            #workers
            ::asr_rt::run_main(builder, #name)
        }
    };
    Ok(tokens.into())
}

/// Says what is missing before the compiler says it in the words of the expansion.
fn check(signature: &Signature) -> syn::Result<()> {
    const FORM: &str = "`async fn main(cx: Cx) -> Result<(), Failure>`";
    let refuse = |what: &str| Err(Error::new_spanned(signature, format!("{what}: {FORM}")));
    if signature.asyncness.is_none() {
        return refuse("the main function is a task, so it is async");
    }
    match signature.inputs.len() {
        1 => {}
        0 => {
            return refuse(
                "main takes the context of its task, through which it sleeps, spawns and is \
                 cancelled",
            );
        }
        _ => {
            return refuse(
                "main takes the context of its task and nothing else; arguments of the program \
                 are in `std::env::args`",
            );
        }
    }
    if let ReturnType::Default = signature.output {
        return refuse("main returns a result, so that `?` can end it");
    }
    if !signature.generics.params.is_empty() {
        return refuse("main has no parameters in `<>`");
    }
    Ok(())
}

#[derive(Default)]
struct Options {
    workers: Option<Expr>,
    config: Option<Expr>,
}

impl Options {
    fn set(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        let place = if meta.path.is_ident("workers") {
            &mut self.workers
        } else if meta.path.is_ident("config") {
            &mut self.config
        } else {
            return Err(meta.error(
                "the options are `workers = 4` and `config = \"asr.toml\"`; every value is a key \
                 of that file, or a method of `Builder`",
            ));
        };
        if place.is_some() {
            return Err(meta.error("said twice"));
        }
        *place = Some(meta.value()?.parse()?);
        Ok(())
    }
}
