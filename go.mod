module newterms

go 1.26.8
