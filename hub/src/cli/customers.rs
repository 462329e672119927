//! What goes to customers, and what people do about what comes from them.

use super::{CliError, Place, open};

/// One line per parcel: waybill, telephone, private link, rating code.
pub(super) async fn links(place: &Place, waybill: Option<&str>) -> Result<(), CliError> {
    let links = open(place).await?.customer_links(waybill).await?;
    let mut out = csv::Writer::from_writer(std::io::stdout());
    let mut write = |fields: [&str; 4]| {
        out.write_record(fields)
            .map_err(|e| CliError::io("write")(e.into()))
    };
    write(["waybill", "phone", "url", "rating_code"])?;
    for link in &links {
        write([&link.waybill, &link.phone, &link.url, &link.rating_code])?;
    }
    out.flush().map_err(CliError::io("write"))
}

/// Judges now instead of in a few minutes.
pub(super) async fn review(place: &Place) -> Result<(), CliError> {
    let hub = open(place).await?;
    let (flags, doubts) = (hub.review_ratings().await?, hub.look_for_doubts().await?);
    println!("{flags} new flags, {doubts} new doubts");
    Ok(())
}

/// Checks the journal; a broken one is an error.
pub(super) async fn check_journal(place: &Place) -> Result<(), CliError> {
    let check = open(place).await?.check_journal().await?;
    match check.broken_at {
        None => {
            println!("{} records, unbroken", check.records);
            Ok(())
        }
        Some(seq) => Err(CliError::BrokenJournal { seq }),
    }
}
