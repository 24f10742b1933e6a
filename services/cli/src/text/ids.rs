//! Short ids: the shortest prefix of at least four digits that no other id in sight shares. Owns the shortening;
//! any unique prefix is accepted where an id is asked for, and the server says when one is not.

/// Digits of the shortest id.
const DIGITS_MIN: usize = 4;

/// Shortens ids among those in sight.
#[derive(Clone, Debug, Default)]
pub struct Ids {
    sorted: Vec<String>,
    full: bool,
}

impl Ids {
    /// Over the ids in sight; `full` leaves every id as it is.
    #[must_use]
    pub fn of<'a>(ids: impl IntoIterator<Item = &'a str>, full: bool) -> Self {
        let mut sorted: Vec<String> = ids.into_iter().map(str::to_owned).collect();
        sorted.sort_unstable();
        sorted.dedup();
        Self { sorted, full }
    }

    /// An id made short. One that was not in sight is shortened beside those that are.
    #[must_use]
    pub fn short<'a>(&self, id: &'a str) -> &'a str {
        if self.full {
            return id;
        }
        let at = self.sorted.partition_point(|other| other.as_str() < id);
        let shares = |other: &String| id.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
        let before = at.checked_sub(1).and_then(|at| self.sorted.get(at)).map_or(0, shares);
        let after = self.sorted.iter().skip(at).find(|other| other.as_str() != id).map_or(0, shares);
        let digits_at = id.find('-').map_or(0, |dash| dash + 1);
        let length = (before.max(after) + 1).max(digits_at + DIGITS_MIN);
        id.get(..length).unwrap_or(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_as_short_as_its_neighbours_allow() {
        let ids = Ids::of(["INC-3K7Q000000000000", "INC-3K7QA00000000000", "INC-7Q2K000000000000"], false);
        assert_eq!(ids.short("INC-3K7Q000000000000"), "INC-3K7Q0");
        assert_eq!(ids.short("INC-3K7QA00000000000"), "INC-3K7QA");
        assert_eq!(ids.short("INC-7Q2K000000000000"), "INC-7Q2K");
        assert_eq!(ids.short("INC-7Q2KX"), "INC-7Q2KX");
        assert_eq!(Ids::of([], false).short("9f3c1234567890abcdef"), "9f3c");
        assert_eq!(Ids::of([], true).short("9f3c1234567890abcdef"), "9f3c1234567890abcdef");
        assert_eq!(Ids::of([], false).short("ab"), "ab");
    }
}
