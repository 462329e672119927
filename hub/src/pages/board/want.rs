//! The board asks a phone for a proof that waits for a line that costs nothing: a dispute does not wait.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use satchel_protocol::ids::Hash32;

use super::care::unfit;
use crate::hub::Hub;
use crate::pages::customer::{from_another_site, see_other};
use crate::pages::fault;
use crate::pages::session::BoardUser;

/// `POST /board/proofs/{hash}/want`. Goes back to the parcel; one that is here already is shown there.
pub(crate) async fn want(
    State(hub): State<Hub>,
    user: BoardUser,
    Path(hash): Path<String>,
    headers: HeaderMap,
) -> Response {
    let Ok(hash) = hash.parse::<Hash32>() else {
        return unfit(user.lang);
    };
    if from_another_site(&hub, &headers) {
        return unfit(user.lang);
    }
    let asked = async {
        hub.want_proof(hash).await?;
        hub.parcel_of_proof(hash).await
    };
    match asked.await {
        Ok(Some(parcel)) => see_other(&format!("/board/parcels/{parcel}")),
        Ok(None) => unfit(user.lang),
        Err(error) => fault(user.lang, &error),
    }
}
