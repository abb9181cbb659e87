//! A first program: three workers, one of them too slow, and a time limit for all.
//!
//! `cargo run -p asr-rt --example first`
//!
//! What to see: the region ends when nothing of it runs any more; the limit cancels what is left;
//! a cancelled task still cleans up; and the program says how everything ended.

use asr_rt::{Cx, Duration, Failure, Outcome, RegionConfig};

const ORDERS: [(&str, u64); 3] = [("bread", 20), ("soup", 40), ("cake", 10_000)];

#[asr_rt::main]
async fn main(cx: Cx) -> Result<(), Failure> {
    let limit = RegionConfig::new().timeout(Duration::from_millis(200));
    let kitchen = cx.region(limit, async |kitchen, _| {
        kitchen.defer_sync(|| {
            println!("the kitchen is clean");
            Ok(())
        })?;
        for (dish, millis) in &ORDERS {
            // A fiber borrows: `ORDERS` could as well be a local of `main`. Nobody joins these,
            // so their handles go; the region waits for them.
            drop(kitchen.fiber(async move |cx| cook(&cx, dish, *millis).await)?);
        }
        Ok(())
    });
    match kitchen.await {
        Outcome::Ok(()) => println!("all orders are done"),
        Outcome::Cancelled(reason) => println!("closed early: {}", reason.kind()),
        other => println!("the kitchen ended {other:?}"),
    }
    Ok(())
}

async fn cook(cx: &Cx, dish: &str, millis: u64) -> Result<(), Failure> {
    println!("{dish}: started");
    // A cancel point: on a cancel `?` leaves here, and the line after it is not reached.
    let cooked = cx.sleep(Duration::from_millis(millis)).await;
    println!(
        "{dish}: {}",
        if cooked.is_ok() { "done" } else { "put away" }
    );
    Ok(cooked?)
}
