//! Tells the page how far loading is: a few plain objects a second, and one at the end of each stage.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Function, Object};
use wasm_bindgen::JsValue;

use crate::js_error::set;
use crate::tally::Tally;

/// At most ten events a second.
const INTERVAL_MS: f64 = 100.0;

/// What loading is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The header is being fetched.
    Header,
    /// The weights are being fetched and uploaded.
    Weights,
    /// The model can be used.
    Ready,
}

impl Stage {
    const fn name(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Weights => "weights",
            Self::Ready => "ready",
        }
    }
}

/// Counts bytes and calls the page's function with
/// `{stage, loaded_bytes, total_bytes, network_bytes, cached_bytes, warning?}`; the loaded bytes are those of the network and the
/// cached ones.
///
/// Cheap to clone: all clones count together.
#[derive(Clone, Debug)]
pub struct Progress(Rc<Counts>);

#[derive(Debug)]
struct Counts {
    callback: Option<Function>,
    stage: Cell<Stage>,
    tally: Cell<Tally>,
    warning: RefCell<Option<String>>,
    last_ms: Cell<f64>,
}

impl Progress {
    /// Starts at the header.
    #[must_use]
    pub fn new(callback: Option<Function>) -> Self {
        Self(Rc::new(Counts {
            callback,
            stage: Cell::new(Stage::Header),
            tally: Cell::new(Tally::default()),
            warning: RefCell::new(None),
            last_ms: Cell::new(f64::NEG_INFINITY),
        }))
    }

    /// Goes over to a stage, and says so.
    pub fn enter(&self, stage: Stage) {
        self.0.stage.set(stage);
        self.emit();
    }

    /// Bytes of the file that came over the network so far; those that had to come twice count once.
    #[must_use]
    pub fn network_bytes(&self) -> u64 {
        self.0.tally.get().network_bytes()
    }

    /// Bytes of the file that came from the cache or from a local file.
    #[must_use]
    pub fn cached_bytes(&self) -> u64 {
        self.0.tally.get().cached_bytes()
    }

    /// Something that the user should know and that does not stop the loading; goes out at once, and with every event after.
    pub(crate) fn warn(&self, warning: String) {
        web_sys::console::warn_1(&JsValue::from_str(&warning));
        *self.0.warning.borrow_mut() = Some(warning);
        self.emit();
    }

    pub(crate) fn set_total(&self, bytes: u64) {
        self.count(|tally| tally.set_file(bytes));
        self.tick();
    }

    pub(crate) fn arrived(&self, bytes: u64) {
        self.count(|tally| tally.arrived(bytes));
        self.tick();
    }

    /// Bytes that had arrived, and turned out to be of no use.
    pub(crate) fn lost(&self, bytes: u64) {
        self.count(|tally| tally.lost(bytes));
    }

    pub(crate) fn cached(&self, bytes: u64) {
        self.count(|tally| tally.cached(bytes));
        self.tick();
    }

    /// Bytes of the file that are not there, and that nobody asks for.
    pub(crate) fn unneeded(&self, bytes: u64) {
        self.count(|tally| tally.unneeded(bytes));
        self.tick();
    }

    /// All over again: what was at hand is of another version of the file.
    pub(crate) fn restart(&self) {
        self.0.tally.set(Tally::default());
        self.enter(Stage::Header);
    }

    fn count(&self, change: impl FnOnce(&mut Tally)) {
        let mut tally = self.0.tally.get();
        change(&mut tally);
        self.0.tally.set(tally);
    }

    fn tick(&self) {
        if js_sys::Date::now() - self.0.last_ms.get() >= INTERVAL_MS {
            self.emit();
        }
    }

    fn emit(&self) {
        self.0.last_ms.set(js_sys::Date::now());
        let Some(callback) = &self.0.callback else {
            return;
        };
        let event = Object::new();
        set(
            &event,
            "stage",
            &JsValue::from_str(self.0.stage.get().name()),
        );
        let tally = self.0.tally.get();
        let numbers = [
            ("loaded_bytes", tally.loaded_bytes()),
            ("total_bytes", tally.total_bytes()),
            ("network_bytes", tally.network_bytes()),
            ("cached_bytes", tally.cached_bytes()),
        ];
        for (key, bytes) in numbers {
            set(&event, key, &JsValue::from_f64(number(bytes)));
        }
        if let Some(warning) = &*self.0.warning.borrow() {
            set(&event, "warning", &JsValue::from_str(warning));
        }
        // A failing callback is the page's own affair, and does not stop the loading.
        let _ = callback.call1(&JsValue::NULL, &event);
    }
}

/// A size as a JavaScript number, exact up to 2^53.
#[allow(
    clippy::cast_precision_loss,
    reason = "files are smaller than 2^53 bytes"
)]
pub(crate) fn number(bytes: u64) -> f64 {
    bytes as f64
}
