//! Ctrl-C while a day is played: finish the step, end the children, remove the temporary folder.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{DemoError, Result};

/// Whether somebody wants this to end.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens for Ctrl-C and SIGTERM from now on. The process no longer ends by them on its own.
    ///
    /// # Errors
    /// When the system gives no thread or no signals.
    pub fn listen() -> Result<Self> {
        let interrupt = Self::default();
        let told = interrupt.clone();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(DemoError::io("start the runtime"))?;
        std::thread::Builder::new()
            .name("interrupt".to_owned())
            .spawn(move || {
                // Without signals there is nothing to be told.
                if runtime.block_on(asked_to_end()).is_ok() {
                    told.0.store(true, Ordering::SeqCst);
                }
            })
            .map_err(DemoError::io("listen for Ctrl-C"))?;
        Ok(interrupt)
    }

    /// Goes on, unless somebody wants an end.
    ///
    /// # Errors
    /// [`DemoError::Interrupted`].
    pub fn check(&self) -> Result<()> {
        if self.0.load(Ordering::SeqCst) {
            return Err(DemoError::Interrupted);
        }
        Ok(())
    }
}

/// Waits for Ctrl-C or SIGTERM.
///
/// # Errors
/// When the system gives no signals.
pub async fn asked_to_end() -> Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let waiting = DemoError::io("wait for signals");
    let mut terminated = signal(SignalKind::terminate()).map_err(&waiting)?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.map_err(waiting),
        _ = terminated.recv() => Ok(()),
    }
}
