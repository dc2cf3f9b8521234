# psych: scoring, alpha, polychoric correlations, exploratory factors.
suppressPackageStartupMessages(library(psych))
listed <- function(name) strsplit(told[[name]], " ")[[1]]
does <- list(
  score = function(frame) {
    keys <- lapply(split(listed("keys"), sub("^-?(s[0-9]+)_.*", "\\1", listed("keys"))), identity)
    done(mean(scoreFast(keys, frame, min = 1, max = 5)[, 1]))
  },
  alpha = function(frame) done(suppressWarnings(alpha(frame[listed("items")], warnings = FALSE))$total$raw_alpha),
  polychoric = function(frame) done(polychoric(frame[listed("items")], progress = FALSE)$rho[1, 2]),
  efa = function(frame) {
    found <- fa(frame[listed("items")], as.integer(told$factors), rotate = "oblimin", fm = "minres")
    done(max(abs(found$loadings)))
  }
)
