//! Names of hosts by their form alone. Owns the endings that show a name with dots to be a host's; refuses to look
//! anything up.

/// Endings that name a network; RFC 1591, and those that are kept for local use (RFC 6761, RFC 6762, ICANN 2024).
const ENDINGS: [&[u8]; 13] = [
    b"arpa",
    b"com",
    b"edu",
    b"gov",
    b"int",
    b"internal",
    b"io",
    b"lan",
    b"local",
    b"localdomain",
    b"mil",
    b"net",
    b"org",
];
/// What stands before the ending of a country.
const SECOND: [&[u8]; 10] = [b"ac", b"co", b"com", b"edu", b"go", b"gov", b"gv", b"ne", b"net", b"org"];
/// What packages of programs begin with, written the other way round.
const PACKAGES: [&[u8]; 10] = [b"android", b"com", b"edu", b"io", b"java", b"javax", b"net", b"org", b"scala", b"sun"];

/// Endings of files that programs are written in.
const SOURCES: [&[u8]; 25] = [
    b"c", b"cc", b"clj", b"cpp", b"cs", b"cxx", b"erl", b"ex", b"go", b"h", b"hpp", b"java", b"js", b"kt", b"lua",
    b"m", b"mm", b"php", b"pl", b"py", b"rb", b"rs", b"scala", b"swift", b"ts",
];

/// Whether this is a file of a program's source, so that a number behind it is a line and no port.
pub(crate) fn is_source_file(bytes: &[u8]) -> bool {
    let last = bytes.iter().rposition(|byte| *byte == b'.');
    last.is_some_and(|last| last > 0 && SOURCES.contains(&&bytes[last + 1..])) && !bytes.contains(&b'/')
}

/// Whether this is a host's name: labels with dots between them that end as names of networks do, and do not begin as
/// names of packages do.
pub(crate) fn is_host_name(bytes: &[u8]) -> bool {
    let Some(last) = bytes.iter().rposition(|byte| *byte == b'.') else {
        return false;
    };
    let (front, ending) = (&bytes[..last], &bytes[last + 1..]);
    if !(2..=11).contains(&ending.len()) || !ending.iter().all(u8::is_ascii_lowercase) {
        return false;
    }
    let before = front.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    let is_ending =
        ENDINGS.contains(&ending) || (ending.len() == 2 && before.len() < front.len() && SECOND.contains(&before));
    if !is_ending {
        return false;
    }
    let first = front.split(|byte| *byte == b'.').next().unwrap_or_default();
    let is_label = |label: &[u8]| {
        !label.is_empty() && label.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte))
    };
    !PACKAGES.contains(&first) && front.split(|byte| *byte == b'.').all(is_label)
}
