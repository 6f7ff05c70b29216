//! Tests run beside each other, in threads of one process and on the same cores. What cannot bear that is set apart
//! here: in a process of its own, or in time.

use std::process::{Command, Stdio};
use std::sync::{Condvar, Mutex, PoisonError};

/// Names the test that has this process to itself.
const APART: &str = "TEST_APART";

/// Whether the test that asks has its process to itself. Where it has not, it is run again in one of its own and must
/// pass there, and nothing is left to do here. `module` is the caller's `module_path!()`.
pub fn is_apart(module: &str, test: &str) -> bool {
    let (_, module) = module.split_once("::").unwrap();
    let test = format!("{module}::{test}");
    if std::env::var_os(APART).is_some_and(|named| named == *test) {
        return true;
    }
    let run = Command::new(std::env::current_exe().unwrap())
        .args([&test, "--exact", "--nocapture", "--test-threads=1"])
        .env(APART, &test)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = [run.stdout, run.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(run.status.success() && said.contains("1 passed"), "in a process of its own:\n{said}");
    // A skipped check must be seen; the rest of what it said would be taken for what is said here.
    said.lines().filter(|l| l.starts_with("skipped: ")).for_each(|l| eprintln!("{l}"));
    false
}

/// How many of one kind there are: of tests that are on the clock above zero, of those that take every core below.
static SHARED: Mutex<i32> = Mutex::new(0);
static CHANGED: Condvar = Condvar::new();

/// Keeps the other kind waiting as long as it is held.
pub struct Kind(i32);

impl Kind {
    fn enter(one: i32) -> Self {
        let shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        let other = |n: &mut i32| *n * one < 0;
        let mut shared = CHANGED.wait_while(shared, other).unwrap_or_else(PoisonError::into_inner);
        *shared += one;
        Kind(one)
    }
}

impl Drop for Kind {
    fn drop(&mut self) {
        *SHARED.lock().unwrap_or_else(PoisonError::into_inner) -= self.0;
        CHANGED.notify_all();
    }
}

/// For who is on the clock: nobody takes every core beside it.
pub fn on_the_clock() -> Kind {
    Kind::enter(1)
}

/// For who takes every core: nobody is on the clock beside it.
pub fn on_every_core() -> Kind {
    Kind::enter(-1)
}
