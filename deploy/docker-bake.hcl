# The image of a release, for two architectures, with an SBOM and the provenance of its build:
#
#   REGISTRY=registry.example VERSION=0.1.0 docker buildx bake -f deploy/docker-bake.hcl --push
variable "REGISTRY" {
  default = "registry.example"
}
variable "VERSION" {
  default = ""
}
variable "REVISION" { # the commit
  default = ""
}
variable "SOURCE" { # the address of the repository
  default = ""
}

group "default" {
  targets = ["newterms"]
}

target "newterms" {
  context    = "."
  dockerfile = "deploy/Dockerfile"
  platforms  = ["linux/amd64", "linux/arm64"]
  tags       = [notequal("", VERSION) ? "${REGISTRY}/newterms:${VERSION}" : "${REGISTRY}/newterms:dev"]
  args = {
    VERSION  = VERSION
    REVISION = REVISION
    SOURCE   = SOURCE
  }
  attest = ["type=sbom", "type=provenance,mode=max"]
}
