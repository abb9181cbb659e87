//! `proxplc check`.

use super::cli::CheckArgs;
use super::{Done, input};

/// Say what is wrong with each of the files.
pub(super) fn check(args: &CheckArgs) -> Done {
    let mut done = Ok(());
    for file in &args.files {
        if let Err(status) = input::load(file, args.allow) {
            done = Err(status);
        }
    }
    done
}
