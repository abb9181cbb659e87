//! The `proxplc` executable.

fn main() {
    std::process::exit(proxplc::driver::main(std::env::args_os()));
}
