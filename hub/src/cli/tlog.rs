//! `tlog`: the transparency log's checkpoint, key, and the one thing an operator must do after a restore.

use std::path::Path;

use clap::Subcommand;

use super::{CliError, Place, open};

#[derive(Debug, Subcommand)]
pub(super) enum TlogCommand {
    /// Sign the log as it is now and print the checkpoint. Witnesses are asked by the running server.
    Checkpoint(Place),
    /// Print the key that checkpoints are checked with, for witnesses and auditors.
    Key(Place),
    /// After a restore from a backup: begin the log anew. Phones refuse a log that became shorter; they
    /// accept one that says it began again, record that for ever, and send what the backup lacks.
    Anew {
        #[command(flatten)]
        place: Place,
        /// What happened; auditors read it.
        #[arg(long)]
        why: String,
    },
}

pub(super) async fn run(command: TlogCommand) -> Result<(), CliError> {
    match command {
        TlogCommand::Checkpoint(place) => {
            let hub = open(&place).await?;
            print!("{}", hub.publish_checkpoint().await?.note);
        }
        TlogCommand::Key(place) => println!("{}", open(&place).await?.log_key().await?),
        TlogCommand::Anew { place, why } => {
            let log_no = open(&place).await?.begin_log_anew(&why).await?;
            println!("log {log_no}");
        }
    }
    Ok(())
}

/// Writes a device's fork proofs and prints how many there are.
pub(super) async fn forks(place: &Place, device: &str, output: &Path) -> Result<(), CliError> {
    let files = open(place).await?.fork_proofs(device.parse()?).await?;
    std::fs::create_dir_all(output).map_err(CliError::io("make the folder"))?;
    for (n, file) in files.iter().enumerate() {
        let path = output.join(format!("fork-{}.txt", n + 1));
        std::fs::write(path, file).map_err(CliError::io("write"))?;
    }
    println!("{} forks", files.len());
    Ok(())
}
