// Apps import SatchelKit and get the generated types with it.
@_exported import SatchelBindings
