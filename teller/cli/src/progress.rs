//! Bars for long work. On standard error, and only where that is a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

const TEMPLATE: &str = "{msg} {wide_bar} {pos}/{len} {per_sec} {elapsed_precise}";

pub(crate) struct Bar(ProgressBar);

impl Bar {
    pub(crate) fn new() -> Self {
        let style =
            ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(0).with_style(style);
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    /// Shows the progress: `done` of `total`.
    pub(crate) fn at(&self, what: &'static str, done: usize, total: usize) {
        let wide = |count| u64::try_from(count).unwrap_or(u64::MAX);
        if self.0.message() != what {
            self.0.reset();
            self.0.set_message(what);
        }
        self.0.set_length(wide(total));
        self.0.set_position(wide(done));
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
