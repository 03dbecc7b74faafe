"""Why a network gave its answer: relevance over the spectrogram, and the inner concepts that carried it."""
