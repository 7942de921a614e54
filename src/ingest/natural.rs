//! Natural order: runs of digits compare as numbers, the rest byte by byte.

use std::cmp::Ordering;

/// Compares two names so that `part-2` comes before `part-10`. Ties (`a1`, `a01`) go by bytes, so the order is total.
pub fn natural_order(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a.as_bytes(), b.as_bytes());
    loop {
        let (Some(&x), Some(&y)) = (left.first(), right.first()) else {
            return left.len().cmp(&right.len()).then_with(|| a.as_bytes().cmp(b.as_bytes()));
        };
        if x.is_ascii_digit() && y.is_ascii_digit() {
            let (x_run, x_rest) = digit_run(left);
            let (y_run, y_rest) = digit_run(right);
            // Without leading zeros the longer number is the larger one; no run is too long for that.
            let by_number = x_run.len().cmp(&y_run.len()).then_with(|| x_run.cmp(y_run));
            if by_number != Ordering::Equal {
                return by_number;
            }
            (left, right) = (x_rest, y_rest);
        } else if x == y {
            (left, right) = (left.get(1..).unwrap_or_default(), right.get(1..).unwrap_or_default());
        } else {
            return x.cmp(&y);
        }
    }
}

/// The leading digits without leading zeros, and what follows them.
fn digit_run(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (run, rest) = text.split_at(end);
    let zeros = run.iter().position(|&byte| byte != b'0').unwrap_or(run.len());
    (run.get(zeros..).unwrap_or_default(), rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_compare_as_numbers() {
        let mut names = vec!["a10", "a2", "a02", "b", "a", "a2b", "log.10.gz", "log.9.gz", "a1/x", "a1"];
        names.sort_by(|a, b| natural_order(a, b));
        assert_eq!(names, ["a", "a1", "a1/x", "a02", "a2", "a2b", "a10", "b", "log.9.gz", "log.10.gz"]);
        let huge = "9".repeat(100);
        assert_eq!(natural_order(&huge, &format!("1{huge}")), Ordering::Less);
    }

    proptest! {
        #[test]
        fn the_order_is_total(a in "[a0-2]{0,6}", b in "[a0-2]{0,6}", c in "[a0-2]{0,6}") {
            prop_assert_eq!(natural_order(&a, &b), natural_order(&b, &a).reverse());
            prop_assert_eq!(natural_order(&a, &b) == Ordering::Equal, a == b);
            if natural_order(&a, &b).is_le() && natural_order(&b, &c).is_le() {
                prop_assert!(natural_order(&a, &c).is_le());
            }
        }
    }
}
