//! Writes `runbooks/schema.json` from the type of a runbook: run it after that type has changed.

use std::path::Path;

use hindcast_runbooks::Runbook;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../runbooks/schema.json");
    let schema = schemars::schema_for!(Runbook);
    std::fs::write(&path, format!("{}\n", serde_json::to_string_pretty(&schema)?))?;
    println!("wrote {}", path.display());
    Ok(())
}
