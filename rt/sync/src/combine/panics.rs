//! Branches whose panics are errors.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use asr_base::Failure;
use asr_kernel::Cx;
use asr_kernel::cx::{Set, Without, caps};
use asr_kernel::obligation::after_panic;
use pin_project_lite::pin_project;

/// A branch whose panic is an `Err` of kind `THREW`, so that it does not prevail in the result of
/// the combinator (CMB-4). Each is reported as `policy.panic_absorbed` (VAL-7).
pub fn panic_as_err<C, F, Fut>(branch: F) -> impl FnOnce(Cx<C>) -> Caught<C, F, Fut>
where
    C: Set,
    F: FnOnce(Cx<C>) -> Fut,
    Fut: Future,
{
    |cx| Caught {
        own: cx.share(),
        start: Some((branch, cx)),
        running: None,
    }
}

pin_project! {
    /// Future of [`panic_as_err`].
    #[must_use = "futures do nothing unless polled"]
    pub struct Caught<C, F, Fut> {
        // To report with. Nothing else is asked of it.
        own: Cx<Without<C, caps::Heal>>,
        start: Option<(F, Cx<C>)>,
        #[pin]
        running: Option<Fut>,
    }
}

impl<C, F, Fut> std::fmt::Debug for Caught<C, F, Fut> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Caught").finish_non_exhaustive()
    }
}

impl<C, T, F, Fut> Future for Caught<C, F, Fut>
where
    C: Set,
    F: FnOnce(Cx<C>) -> Fut,
    Fut: Future<Output = Result<T, Failure>>,
{
    type Output = Result<T, Failure>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let polled = catch_unwind(AssertUnwindSafe(|| {
            if let Some((branch, cx)) = this.start.take() {
                this.running.set(Some(branch(cx)));
            }
            let running = this.running.as_mut().as_pin_mut();
            let polled = running.expect("polled again after its end").poll(context);
            if polled.is_ready() {
                // Its destructor may panic as well.
                this.running.set(None);
            }
            polled
        }));
        match polled {
            Ok(polled) => polled,
            Err(panic) => {
                let drop_it = || after_panic(|| this.running.set(None));
                let left = catch_unwind(AssertUnwindSafe(drop_it));
                drop(left.map_err(|second| this.own.absorb_panic(second)));
                Poll::Ready(Err(this.own.absorb_panic(panic).into()))
            }
        }
    }
}
