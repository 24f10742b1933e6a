//! Writes the JSON Schema of every event type to `schemas/` at the repository's root, and removes what
//! no type stands for any more: `cargo run -p hindcast-events --example schemas`.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;
use std::{fs, io};

fn main() -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../schemas");
    fs::create_dir_all(&folder)?;
    let mut written = BTreeSet::new();
    for (name, schema) in hindcast_events::schema::all() {
        fs::write(folder.join(&name), hindcast_events::schema::text(&schema))?;
        written.insert(OsString::from(name));
    }
    for entry in fs::read_dir(&folder)? {
        let entry = entry?;
        if !written.contains(&entry.file_name()) {
            fs::remove_file(entry.path())?;
        }
    }
    println!("{} schemas in {}", written.len(), folder.display());
    Ok(())
}
