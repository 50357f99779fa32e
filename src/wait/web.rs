//! Waiting in a browser: the stack is set aside until a promise is settled (JavaScript Promise Integration, JSPI), while the page or the
//! worker goes on with other things. What is waited for is kept on the heap: memory of a stack that is set aside is used by others.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::prelude::*;
pub(crate) use web_time::Instant;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &Function, milliseconds: f64) -> JsValue;
    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(timer: &JsValue);
}

thread_local! {
    /// What ends the waits in progress, by their numbers.
    static WAITS: RefCell<HashMap<u64, Function>> = RefCell::default();
    static NEXT: Cell<u64> = const { Cell::new(0) };
}

/// Whether waiting is possible at all: the browser has JSPI.
pub(crate) fn can_wait() -> bool {
    let has =
        |of: &JsValue, name: &str| Reflect::get(of, &name.into()).ok().filter(|value| !value.is_undefined());
    let suspending = has(&js_sys::global(), "WebAssembly").and_then(|assembly| has(&assembly, "Suspending"));
    // A worker may have put something else in its place.
    suspending.is_some_and(|suspending| has(&suspending, "missing").is_none())
}

/// Ends a wait, if it has not ended.
struct EndWait(u64);

impl Wake for EndWait {
    fn wake(self: Arc<Self>) {
        if let Some(resolve) = WAITS.with_borrow_mut(|waits| waits.remove(&self.0)) {
            let _ = resolve.call0(&JsValue::UNDEFINED);
        }
    }
}

/// Waits until a future is done.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    match poll_until(future, None) {
        Some(output) => output,
        // It has no end but that of the future.
        None => unreachable!("a wait without a limit has ended"),
    }
}

/// Waits until a future is done, but not longer than this.
fn poll_until<T>(future: impl Future<Output = T>, longest: Option<Duration>) -> Option<T> {
    let mut future = Box::pin(future);
    let begun = Instant::now();
    loop {
        let number = NEXT.replace(NEXT.get() + 1);
        let promise = Promise::new(&mut |resolve, _| {
            WAITS.with_borrow_mut(|waits| waits.insert(number, resolve));
        });
        let waker = Waker::from(Arc::new(EndWait(number)));
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            WAITS.with_borrow_mut(|waits| waits.remove(&number));
            return Some(output);
        }
        let left = longest.map(|longest| longest.saturating_sub(begun.elapsed()));
        if left.is_some_and(|left| left.is_zero()) {
            WAITS.with_borrow_mut(|waits| waits.remove(&number));
            return None;
        }
        // It is kept until the timer is gone.
        let end = Closure::once(move || Arc::new(EndWait(number)).wake());
        let timer = left.map(|left| set_timeout(end.as_ref().unchecked_ref(), left.as_secs_f64() * 1e3));
        suspend(&promise);
        if let Some(timer) = timer {
            clear_timeout(&timer);
        }
    }
}

/// Sets the stack aside until the promise is settled. Nothing waits that was not entered as something that may.
#[expect(deprecated, reason = "the only way to suspend; it is marked so while it is new")]
fn suspend(promise: &Promise) {
    if let Err(error) = js_sys::futures::jspi_block_on_promise(promise) {
        wasm_bindgen::throw_val(error);
    }
}

/// Work that was submitted to a device.
#[derive(Clone)]
pub(crate) struct Submitted(futures_intrusive::channel::shared::OneshotBroadcastReceiver<()>);

impl Submitted {
    pub(crate) fn new(queue: &wgpu::Queue, commands: Option<wgpu::CommandBuffer>) -> Self {
        queue.submit(commands);
        let (sender, receiver) = futures_intrusive::channel::shared::oneshot_broadcast_channel();
        queue.on_submitted_work_done(move || {
            // The receiver is gone where nobody waits.
            let _ = sender.send(());
        });
        Submitted(receiver)
    }

    /// Waits until it is done.
    ///
    /// # Errors
    /// When it takes longer.
    pub(crate) fn wait(self, _: &wgpu::Device, timeout: Duration) -> Result<(), wgpu::PollError> {
        poll_until(self.0.receive(), Some(timeout)).map(drop).ok_or(wgpu::PollError::Timeout)
    }
}
