//! Criterion benches of the step.
fn main() {}
