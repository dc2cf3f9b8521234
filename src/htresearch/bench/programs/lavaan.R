# lavaan: measurement models, and polychoric correlations.
suppressPackageStartupMessages(library(lavaan))
listed <- function(name) strsplit(told[[name]], " ")[[1]]
does <- list(
  polychoric = function(frame) {
    items <- listed("items")
    done(unclass(lavCor(frame[items], ordered = items))[1, 2])
  },
  cfa = function(frame) done(fitMeasures(cfa(told$model, frame, meanstructure = TRUE), "chisq")[[1]]),
  invariance = function(frame) {
    equal <- list("none", "loadings", c("loadings", "intercepts"), c("loadings", "intercepts", "residuals"))
    fits <- lapply(equal, function(same) cfa(told$model, frame, group = "group", group.equal = same))
    do.call(lavTestLRT, fits)
    measures <- lapply(fits, fitMeasures, c("chisq", "cfi", "rmsea", "srmr"))
    done(measures[[4]][["chisq"]])
  }
)
