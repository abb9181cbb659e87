//! Main functions that are tasks: how they end, and with which exit code.

use std::process::ExitCode;

use asr_rt::{Cx, Error, Failure, Status};

#[asr_rt::main]
async fn well(cx: Cx) -> Result<(), Failure> {
    let child = cx.spawn(async |_| Ok(()))?;
    child.join(&cx).await?.into_result()
}

#[asr_rt::main(workers = 1 + 1)]
async fn fails(_: Cx) -> Result<(), Failure> {
    Err(Error::new(Status::FULL, "queue of 8"))?
}

#[asr_rt::main]
async fn panics(_: Cx) -> Result<(), Failure> {
    panic!("on purpose")
}

#[asr_rt::main]
async fn is_cancelled(cx: Cx) -> Result<(), Failure> {
    let child = cx.spawn(async |cx| {
        cx.checkpoint()?;
        Ok(())
    })?;
    child.abort();
    child.join(&cx).await?.into_result()
}

#[asr_rt::main(config = "/nowhere/asr.toml")]
async fn lost(_: Cx) -> Result<(), Failure> {
    Ok(())
}

#[asr_rt::main(workers = 0)]
async fn without_workers(_: Cx) -> Result<(), Failure> {
    Ok(())
}

#[test]
fn the_exit_code_says_how_main_ended() {
    assert_eq!(well(), ExitCode::SUCCESS);
    assert_eq!(fails(), ExitCode::from(1));
    assert_eq!(is_cancelled(), ExitCode::from(1));
    assert_eq!(panics(), ExitCode::from(101));
    assert_eq!(lost(), ExitCode::from(2));
    assert_eq!(without_workers(), ExitCode::from(2));
}
