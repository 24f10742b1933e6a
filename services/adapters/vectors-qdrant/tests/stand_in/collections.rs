//! Collections: made, looked at, dropped. What the adapter does not use is refused.

use async_trait::async_trait;
use qdrant_client::qdrant::collections_server::Collections;
use qdrant_client::qdrant::vectors_config::Config;
use qdrant_client::qdrant::{self, Distance};
use tonic::{Request, Response, Status};

use super::{Collection, Service};

type Answer<T> = Result<Response<T>, Status>;

const fn done() -> qdrant::CollectionOperationResponse {
    qdrant::CollectionOperationResponse { result: true, time: 0.0 }
}

#[async_trait]
impl Collections for Service {
    async fn get(
        &self,
        request: Request<qdrant::GetCollectionInfoRequest>,
    ) -> Answer<qdrant::GetCollectionInfoResponse> {
        let mut state = self.state();
        let collection = state.collection(&request.into_inner().collection_name)?;
        let vectors = qdrant::VectorParams {
            size: collection.size,
            distance: Distance::Dot.into(),
            ..qdrant::VectorParams::default()
        };
        let params = qdrant::CollectionParams {
            vectors_config: Some(qdrant::VectorsConfig { config: Some(Config::Params(vectors)) }),
            ..qdrant::CollectionParams::default()
        };
        let config = qdrant::CollectionConfig { params: Some(params), ..qdrant::CollectionConfig::default() };
        let info = qdrant::CollectionInfo { config: Some(config), ..qdrant::CollectionInfo::default() };
        Ok(Response::new(qdrant::GetCollectionInfoResponse { result: Some(info), time: 0.0 }))
    }

    async fn create(&self, request: Request<qdrant::CreateCollection>) -> Answer<qdrant::CollectionOperationResponse> {
        let request = request.into_inner();
        let mut state = self.state();
        state.write()?;
        if state.collections.contains_key(&request.collection_name) {
            return Err(Status::already_exists(format!("Collection `{}` already exists!", request.collection_name)));
        }
        match request.vectors_config.and_then(|vectors| vectors.config) {
            Some(Config::Params(params)) if params.distance == i32::from(Distance::Dot) => {
                let collection = Collection { size: params.size, ..Collection::default() };
                state.collections.insert(request.collection_name, collection);
                Ok(Response::new(done()))
            }
            other => Err(Status::unimplemented(format!("{other:?}"))),
        }
    }

    async fn delete(&self, request: Request<qdrant::DeleteCollection>) -> Answer<qdrant::CollectionOperationResponse> {
        let mut state = self.state();
        state.write()?;
        let result = state.collections.remove(&request.into_inner().collection_name).is_some();
        Ok(Response::new(qdrant::CollectionOperationResponse { result, time: 0.0 }))
    }

    async fn collection_exists(
        &self,
        request: Request<qdrant::CollectionExistsRequest>,
    ) -> Answer<qdrant::CollectionExistsResponse> {
        let exists = self.state().collections.contains_key(&request.into_inner().collection_name);
        let result = Some(qdrant::CollectionExists { exists });
        Ok(Response::new(qdrant::CollectionExistsResponse { result, time: 0.0 }))
    }

    async fn list(&self, _: Request<qdrant::ListCollectionsRequest>) -> Answer<qdrant::ListCollectionsResponse> {
        Err(Status::unimplemented("list"))
    }

    async fn update(&self, _: Request<qdrant::UpdateCollection>) -> Answer<qdrant::CollectionOperationResponse> {
        Err(Status::unimplemented("update"))
    }

    async fn update_aliases(&self, _: Request<qdrant::ChangeAliases>) -> Answer<qdrant::CollectionOperationResponse> {
        Err(Status::unimplemented("update_aliases"))
    }

    async fn list_collection_aliases(
        &self,
        _: Request<qdrant::ListCollectionAliasesRequest>,
    ) -> Answer<qdrant::ListAliasesResponse> {
        Err(Status::unimplemented("list_collection_aliases"))
    }

    async fn list_aliases(&self, _: Request<qdrant::ListAliasesRequest>) -> Answer<qdrant::ListAliasesResponse> {
        Err(Status::unimplemented("list_aliases"))
    }

    async fn collection_cluster_info(
        &self,
        _: Request<qdrant::CollectionClusterInfoRequest>,
    ) -> Answer<qdrant::CollectionClusterInfoResponse> {
        Err(Status::unimplemented("collection_cluster_info"))
    }

    async fn update_collection_cluster_setup(
        &self,
        _: Request<qdrant::UpdateCollectionClusterSetupRequest>,
    ) -> Answer<qdrant::UpdateCollectionClusterSetupResponse> {
        Err(Status::unimplemented("update_collection_cluster_setup"))
    }

    async fn create_shard_key(
        &self,
        _: Request<qdrant::CreateShardKeyRequest>,
    ) -> Answer<qdrant::CreateShardKeyResponse> {
        Err(Status::unimplemented("create_shard_key"))
    }

    async fn delete_shard_key(
        &self,
        _: Request<qdrant::DeleteShardKeyRequest>,
    ) -> Answer<qdrant::DeleteShardKeyResponse> {
        Err(Status::unimplemented("delete_shard_key"))
    }

    async fn list_shard_keys(&self, _: Request<qdrant::ListShardKeysRequest>) -> Answer<qdrant::ListShardKeysResponse> {
        Err(Status::unimplemented("list_shard_keys"))
    }
}
