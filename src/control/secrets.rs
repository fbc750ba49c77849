use super::Call;
use crate::exchange::Problem;
use crate::mask::Secrets;

/// `?secrets=` of a call.
pub(super) fn secrets(call: &Call<'_>) -> Result<Secrets, Problem> {
    match call.query("secrets").as_deref() {
        None | Some("mask") => Ok(Secrets::Masked),
        Some("show") => Ok(Secrets::Shown),
        Some(other) => {
            Err(Problem::bad_request("secrets-invalid", format!("`secrets` is `mask` or `show`, not `{other}`.")))
        }
    }
}
