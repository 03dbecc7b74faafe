"""Two models on the same clips: how alike their answers, their inner layers and their evidence are."""
