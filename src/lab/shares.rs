//! Work that falls into equal parts, shared among threads; what comes out does not depend on how many.

/// What `of` gives for each of `0..n`, in that order.
pub fn each<T: Send>(n: usize, threads: usize, of: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let share = n.div_ceil(threads.max(1)).max(1);
    let mut all: Vec<Option<T>> = (0..n).map(|_| None).collect();
    std::thread::scope(|scope| {
        for (part, slots) in all.chunks_mut(share).enumerate() {
            let of = &of;
            scope.spawn(move || {
                for (i, slot) in slots.iter_mut().enumerate() {
                    *slot = Some(of(part * share + i));
                }
            });
        }
    });
    all.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_the_parts_on_any_number_of_threads() {
        let wanted: Vec<usize> = (0..7).map(|i| i * i).collect();
        for threads in [0, 1, 2, 3, 7, 20] {
            assert_eq!(each(7, threads, |i| i * i), wanted);
        }
        assert!(each(0, 2, |i| i).is_empty());
    }
}
